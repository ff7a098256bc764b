"""The sealing controller's settings, as one frozen value."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class SealingSettings:
    """Durations in seconds. `namespaces` empty: all. `cutoff`: a newest key from before this moment is renewed at start."""

    namespace: str = "kube-system"
    namespaces: tuple[str, ...] = ()
    label_selector: str = ""
    key_size: int = 4096
    key_ttl: float = 87_600 * 3600.0
    renew_period: float = 720 * 3600.0
    cutoff: float = 0.0
    common_name: str = ""
    old_form: bool = True
    parallel: int = 8
    manager: str = "kilde"
    identity: str = ""
    lease: float = 15.0
