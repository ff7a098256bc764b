"""Random custom resources of the fuzzed CRDs."""

from differential.shapes import Dice, Object


def widget(dice: Dice) -> Object:
    def item(number: int) -> Object:
        return {
            "name": dice.odd(dice.one("p", "q", "r"), None, 5, likely=0.03),
            **dice.some(value=dice.odd("x", 5), n=dice.odd(3, -1, 2.5)),
        }

    port = {"port": dice.one(80, 81), **dice.some(protocol=dice.one("TCP", "UDP"), name="n")}
    return {
        "spec": dice.some(
            replicas=dice.odd(dice.one(0, 1, 5), -1, 11, "3", None, 1.5, likely=0.1),
            name=dice.odd("abc", "x", "waytoolongname", None, likely=0.1),
            mode=dice.odd("Fast", "X", likely=0.1),
            gmap={key: dice.one("1", "2") for key in "kl" if dice.maybe()},
            amap=dice.some(a="1", b="2"),
            alist=dice.few(2, lambda n: dice.one("a", "b")),
            set=[*dice.sample("abcd", dice.randint(0, 3)), *dice.odd([], ["a", "a"])],
            mlist=dice.few(3, item),
            ports=[port],
            nested={"y": dice.some(z=dice.odd("1", 5), w=True)},
            free=dice.some(m={"p": 1}, l=[1, 2]),
            ios=dice.one(1, "50%"),
            when=dice.odd("2024-01-01T00:00:00Z", "nope"),
            nul=None,
            low=dice.one(1, 5),
            high=dice.one(3, 9),
            bogus=dice.odd(None, 1),
        )
    } | dice.some(status={"phase": "Nope"})


def bag(dice: Dice) -> Object:
    return dice.some(
        spec=dice.one({"a": 1, "b": {"c": [1, {"d": None}]}}, {"a": "x"}, {}),
        data={"x": dice.one("1", 2, None)},
        extra=[1, 2],
    )


def gadget(dice: Dice) -> Object:
    return {
        "spec": dice.some(
            size=dice.odd(3, "3", -1), color=dice.one("red", "blue"), tags=dice.few(2, lambda n: dice.one("a", "b"))
        )
    }
