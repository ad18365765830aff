"""An audit on the panel: random items nobody has seen, a statement above them, the same when opened again."""

import numpy as np
import pytest

from conftest import answer_page
from elsa_nb.label import AuditPages
from elsa_nb.search.oracle import Truth, simulate


def test_an_audit_of_everything_finds_everything_and_says_so():
    positive = np.zeros(500, bool)
    positive[::25] = True
    answered = np.arange(200)
    audit = AuditPages(500, answered, found=int(positive[:200].sum()))
    assert "At least 2.5 % of the class is found, with 95% confidence." in audit.statement
    log = simulate(audit, Truth(positive))
    assert set(log.rows) == set(range(200, 500))
    assert set(log.components) == {18}
    assert audit.positives.tolist() == np.flatnonzero(positive)[8:].tolist()
    assert audit.statement == "At least 100 % of the class is found, with 95% confidence."


def test_the_price_of_the_next_statement_falls_with_each_page_without_a_find():
    audit, prices = AuditPages(20_000, np.arange(100), found=50), []
    for _ in range(4):
        prices.append(int(audit.statement.split(". ")[1].split(" more")[0].replace(",", "")))
        audit.update(np.zeros(len(audit.query().rows), int))
    assert np.diff(prices).tolist() == [-60, -60, -60]
    assert audit.statement.endswith("more without a find: at least 50%.")


def test_on_the_panel_it_is_dealt_in_pages_and_opens_again_where_it_was(make_desk, small):
    def begin():
        return AuditPages(400, np.arange(100), found=10, page=12)

    controller = make_desk(begin())
    before = controller.figures()["statement"]
    for _ in range(3):
        answer_page(controller, small[1])
    after, labels = controller.figures()["statement"], controller.cards.labels
    assert after != before
    assert {controller.card(p)["component"] for p in range(len(labels))} == {"audit"}
    controller.close()
    again = make_desk(begin())
    assert (again.figures()["statement"], again.cards.labels) == (after, labels)


def test_with_nothing_left_there_is_nothing_to_audit():
    with pytest.raises(ValueError, match="all 3 items are answered"):
        AuditPages(3, [0, 1, 2], found=1)
