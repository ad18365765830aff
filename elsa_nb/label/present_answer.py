"""What an item's present answer is, by the log of a session: said here once, for all who read answers."""

# Of lines about finds that an audit shows again. That measures the person: it is no answer about the item, and whatever
# reads answers leaves it out.
PLANTED, PLANTED_UNDO = "planted", "planted undo"
NOT_PLANTED = f"kind NOT IN ('{PLANTED}', '{PLANTED_UNDO}')"  # in a query
