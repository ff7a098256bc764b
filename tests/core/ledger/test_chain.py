"""Any single change of a stored ledger is found, and the record it was done to is named."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kilde.core.ledger.chain import Anchor, Finding, Tampering, verify
from kilde.core.ledger.record import GENESIS, Record, next_record, record_hash

json = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)
bodies = st.lists(st.dictionaries(st.text(max_size=8), json, max_size=3), min_size=1, max_size=8)


def chain(bodies: list[dict[str, object]]) -> list[Record]:
    records: list[Record] = []
    for index, body in enumerate(bodies):
        head = records[-1] if records else None
        records.append(next_record(head, "note", body, at=1_700_000_000 + index / 8))
    return records


def sealed(record: Record) -> Record:
    """The record with a hash that fits what it says now: a forger who knows the rule."""
    said = record_hash(number=record.number, at=record.at, kind=record.kind, body=record.body, previous=record.previous)
    return replace(record, hash=said)


def head(records: list[Record]) -> Anchor:
    return Anchor(records[-1].number, records[-1].hash, exact=True)


FIVE = chain([{"n": index} for index in range(1, 6)])


def test_a_record_hashes_to_a_value_that_any_program_can_work_out() -> None:
    first = next_record(None, "note", {"b": 1, "a": "ø"}, at=0.25)

    text = '{"at":"1970-01-01T00:00:00.250Z","body":{"a":"ø","b":1},"kind":"note","number":1,"previous":"%s"}'
    import hashlib

    assert first == Record(
        number=1,
        at="1970-01-01T00:00:00.250Z",
        kind="note",
        body={"b": 1, "a": "ø"},
        previous=GENESIS,
        hash=hashlib.sha256((text % GENESIS).encode()).hexdigest(),
    )


@given(bodies)
def test_an_untouched_ledger_is_intact(bodies: list[dict[str, object]]) -> None:
    records = chain(bodies)

    verdict = verify(records, [head(records)])

    assert verdict.intact
    assert verdict.head == Anchor(len(records), records[-1].hash)


def test_an_empty_ledger_is_intact() -> None:
    assert verify([]).intact


@given(bodies, st.data())
def test_a_changed_field_is_found_and_its_record_named(bodies: list[dict[str, object]], data: st.DataObject) -> None:
    records = chain(bodies)
    index = data.draw(st.integers(0, len(records) - 1))
    forge = data.draw(st.sampled_from([sealed, lambda record: record]))
    change = data.draw(
        st.sampled_from(
            [{"body": {"forged": True}}, {"at": "2000-01-01T00:00:00.000Z"}, {"kind": "forged"}, {"previous": "f" * 64}]
        )
    )
    forged = [*records]
    forged[index] = forge(replace(records[index], **change))

    verdict = verify(forged, [head(records)])

    assert (Tampering.ALTERED, index + 1) in {(f.tampering, f.number) for f in verdict.findings}
    assert {f.number for f in verdict.findings} == {index + 1}


@given(bodies, st.data())
def test_a_changed_hash_is_found_and_its_record_named(bodies: list[dict[str, object]], data: st.DataObject) -> None:
    records = chain(bodies)
    index = data.draw(st.integers(0, len(records) - 1))
    forged = [*records]
    forged[index] = replace(records[index], hash="f" * 64)

    verdict = verify(forged, [head(records)])

    assert {(f.tampering, f.number) for f in verdict.findings} == {(Tampering.ALTERED, index + 1)}


@given(bodies, st.data())
def test_a_removed_run_of_records_is_found_and_named(bodies: list[dict[str, object]], data: st.DataObject) -> None:
    records = chain(bodies)
    first = data.draw(st.integers(0, len(records) - 1))
    last = data.draw(st.integers(first, len(records) - 1))

    verdict = verify(records[:first] + records[last + 1 :], [head(records)])

    kind = Tampering.TRUNCATED if last == len(records) - 1 else Tampering.REMOVED
    assert [(f.tampering, f.number, f.last) for f in verdict.findings] == [(kind, first + 1, last + 1)]


@given(bodies, st.data())
def test_an_inserted_record_is_found_and_named(bodies: list[dict[str, object]], data: st.DataObject) -> None:
    records = chain(bodies)
    index = data.draw(st.integers(0, len(records)))
    before = records[index - 1] if index else None
    forged = next_record(before, "note", {"forged": True}, at=0)

    verdict = verify([*records[:index], forged, *records[index:]], [head(records)])

    assert [(f.tampering, f.number) for f in verdict.findings] == [(Tampering.INSERTED, index + 1)]


@given(bodies.filter(lambda found: len(found) > 1), st.data())
def test_two_swapped_records_are_found(bodies: list[dict[str, object]], data: st.DataObject) -> None:
    records = chain(bodies)
    one = data.draw(st.integers(0, len(records) - 2))
    other = data.draw(st.integers(one + 1, len(records) - 1))
    forged = [*records]
    forged[one], forged[other] = forged[other], forged[one]

    verdict = verify(forged, [head(records)])

    assert {f.tampering for f in verdict.findings} == {Tampering.REORDERED}
    assert one + 1 in {f.number for f in verdict.findings}


@given(bodies.filter(lambda found: len(found) > 1), st.data())
def test_two_records_that_changed_numbers_are_found(bodies: list[dict[str, object]], data: st.DataObject) -> None:
    records = chain(bodies)
    one = data.draw(st.integers(0, len(records) - 2))
    forged = [*records]
    forged[one] = replace(records[one + 1], number=one + 1)
    forged[one + 1] = replace(records[one], number=one + 2)

    verdict = verify(forged, [head(records)])

    assert {(f.tampering, f.number) for f in verdict.findings} == {
        (Tampering.REORDERED, one + 1),
        (Tampering.REORDERED, one + 2),
    }


@pytest.mark.parametrize(
    ("records", "anchors", "findings"),
    [
        pytest.param(
            FIVE[:3],
            [Anchor(5, FIVE[4].hash)],
            (Finding(Tampering.TRUNCATED, 4, "the ledger once had 5 records, 3 are left", last=5),),
            id="the tail cut off",
        ),
        pytest.param(
            [],
            [head(FIVE)],
            (Finding(Tampering.TRUNCATED, 1, "the ledger once had 5 records, 0 are left", last=5),),
            id="everything cut off",
        ),
        pytest.param(
            chain([{"n": 1}, {"n": "forged"}, {"n": 3}]),
            [Anchor(2, FIVE[1].hash)],
            (Finding(Tampering.ALTERED, 2, "its hash is not the one that was written down as the head"),),
            id="the whole made anew, against a head kept elsewhere",
        ),
        pytest.param(
            [FIVE[0], FIVE[3], FIVE[4]],
            [head(FIVE)],
            (Finding(Tampering.REMOVED, 2, "records 2 to 3 are missing", last=3),),
            id="a hole",
        ),
        pytest.param(
            FIVE,
            [Anchor(3, FIVE[2].hash), head(FIVE)],
            (),
            id="a head written down earlier is no finding",
        ),
    ],
)
def test_what_is_said_of(records: list[Record], anchors: list[Anchor], findings: tuple[Finding, ...]) -> None:
    assert verify(records, anchors).findings == findings
