"""What an item's present answer is, by the log of a session: said here once, for all who read answers.

It is what the last line about the item says. Only where that line takes an answer back may the item have another one:
a picture that was passed in a first look has a second card once the search asks about it, and what is taken back on one
card leaves the answer on the other. Pages of now lead a click on the first card to the second; earlier versions wrote
both. So the line that counts is then the last one that

- is about another card, and the last line about that card, and says an answer;
- was followed by no line without a card, such as one from a file, that took the answer back;
- was followed by no card that was dealt with the answer on it: such a card stands for all that was said before.

Answers to control items, known finds that an audit shows again, measure how many the person overlooks. They do not
change the label of an item, so all queries for answers leave them out.
"""

# The kinds of the lines that are answers to control items, as they are stored.
PLANTED, PLANTED_UNDO = "planted", "planted undo"
_PLANTED_KINDS = f"('{PLANTED}', '{PLANTED_UNDO}')"
NOT_PLANTED = f"kind NOT IN {_PLANTED_KINDS}"  # in a query

# Of a later line f: whether its card was dealt with an answer on it, since what it changed is not what it last said.
_DEALT_WITH_ANSWER = """f.old > -2 AND f.old IS NOT (
      SELECT g.label FROM events g WHERE g.annotator = f.annotator AND g.item = f.item AND g.position IS f.position
        AND g.id < f.id ORDER BY g.id DESC LIMIT 1)"""
# Of a line e, and the last line l about the same item.
_STANDS = f"""e.annotator = l.annotator AND e.item = l.item AND e.kind NOT IN {_PLANTED_KINDS}
    AND e.label > -2 AND e.position IS NOT l.position AND NOT EXISTS (
    SELECT 1 FROM events f WHERE f.annotator = e.annotator AND f.item = e.item AND f.id > e.id
      AND f.kind NOT IN {_PLANTED_KINDS}
      AND (f.position IS NULL OR f.position IS e.position OR ({_DEALT_WITH_ANSWER})))"""


def present_lines(which: str = "TRUE") -> str:
    """Return a query of the numbers of the lines of `events` that say the present answers, one for each answered item.

    `which` is a condition in SQL on the annotator and the item of the lines.
    """
    # Beside max(), SQLite takes the other columns from the line that has the maximum.
    return f"""WITH lasts AS (
    SELECT max(id) AS id, annotator, item, label, position, count(*) AS lines
    FROM events WHERE {NOT_PLANTED} AND {which} GROUP BY annotator, item)
  SELECT id FROM lasts WHERE label > -2
  UNION ALL
  SELECT (SELECT max(e.id) FROM events e WHERE {_STANDS})
    FROM lasts l WHERE l.label < -1 AND l.position IS NOT NULL AND l.lines > 1"""


ANSWERS = f"SELECT * FROM events WHERE id IN ({present_lines()})"  # the lines that say the present answers of everybody
ANSWERS_VIEW = f"CREATE VIEW IF NOT EXISTS answers AS {ANSWERS}"
# A row, where the view is that of an earlier version.
EARLIER_VIEW = "SELECT 1 FROM sqlite_master WHERE name = 'answers' AND sql NOT LIKE '%WITH lasts%'"
