"""What happened to a block, in words."""

import re

import pytest

from deliveries import timeline as of_orders
from offers import timeline
from retaildelivery.environment import BASE_DIR

NAME = re.compile(
    r'"((?:award|block|contest|dispute|draw|pay|order|parcel|stop|manifest|handover|incident)\.[a-z_]+)"'
)


def named_in(app: str) -> set[str]:
    texts = [
        path.read_text() for path in (BASE_DIR / app).rglob("*.py") if not {"tests", "api"} & set(path.parts)
    ]
    return {name for text in texts for name in NAME.findall(text)}


@pytest.mark.parametrize("app", ["offers", "deliveries"])
def test_every_fact_that_is_told_of_a_block_or_an_order_has_a_sentence(app):
    names = named_in(app)

    assert len(names) > 20
    assert [name for name in sorted(names) if timeline.sentence_of(name) == name] == []


def test_a_fact_without_a_sentence_is_called_by_its_name():
    assert timeline.sentence_of("block.painted") == of_orders.sentence_of("block.painted") == "block.painted"
