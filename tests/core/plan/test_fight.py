"""When a heal becomes a fight."""

from kilde.core.plan.fight import FightBook


def test_the_first_ten_heals_of_a_field_come_at_once_and_then_one_every_two_seconds() -> None:
    book, now, waits = FightBook(), 100.0, []
    for _ in range(13):
        wait = book.delay(["spec.replicas"], now=now)
        waits.append(wait)
        now += wait
        book.healed(["spec.replicas"], now=now)
    assert waits == [0.0] * 10 + [2.0] * 3


def test_another_field_of_the_object_is_not_slowed_by_the_fight() -> None:
    book = FightBook()
    for _ in range(12):
        book.healed(["spec.replicas"], now=50.0)
    assert book.delay(["metadata.labels.tier"], now=50.0) == 0.0


def test_a_fight_is_over_after_a_quiet_minute() -> None:
    book = FightBook()
    for _ in range(12):
        book.healed(["spec.replicas"], now=50.0)
    assert not book.is_quiet(now=110.0)
    assert book.is_quiet(now=110.1)
    assert book.delay(["spec.replicas"], now=110.1) == 0.0
