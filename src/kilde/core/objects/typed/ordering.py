"""In which order an associative list comes out of a merge."""

from collections.abc import Iterator, Sequence


def merged_order(live: Sequence[str], config: Sequence[str]) -> Iterator[tuple[str, int | None]]:
    """The elements of the merged list: (element, None) is the config's item, (element, i) the live item at i.

    The config's order wins among shared items; a foreign live item keeps its place before the next shared item; a new
    item comes right after its predecessor. `config` has no element twice; a shared live element that repeats is taken
    once.
    """
    wanted, there = set(config), set(live)
    shared = iter([element for element in config if element in there])
    awaited = next(shared, None)
    done: set[str] = set()
    left = right = 0
    while left < len(live) or right < len(config):
        head = live[left] if left < len(live) else None
        if head is not None and right < len(config) and head in wanted:
            if head == config[right]:
                yield head, None
                done.add(head)
                left, right, awaited = left + 1, right + 1, next(shared, None)
                continue
            if awaited is not None and head != awaited:
                left += 1  # shared, but its turn comes later
                continue
        if head is not None and head not in wanted:
            yield head, left
            left += 1
            continue
        if head is not None and head in done:
            left += 1
        if right < len(config):
            element = config[right]
            yield element, None
            done.add(element)
            right += 1
            if element == awaited:
                awaited = next(shared, None)
