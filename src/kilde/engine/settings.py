"""The engine's settings, as one frozen value."""

from dataclasses import dataclass

from kilde.core.plan.budget import DEFAULT, FLEET_DEFAULT, Budget, FleetBudget


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineSettings:
    """Durations in seconds."""

    namespace: str = "argocd"
    application_namespaces: str = ""  # where else Applications may be; "": as argocd-cmd-params-cm says
    set_namespaces: str = ""  # where else ApplicationSets may be; "": as argocd-cmd-params-cm says
    poll: float = 120.0
    manager: str = "kilde"
    parallel_passes: int = 16
    parallel_writes: int = 8  # of one step of one application
    watch_patience: float = 30.0
    settle: float = 0.7  # how long a finished sync waits for health before its status is written
    tell_after: float = 2.0  # an automated sync of one wave that takes no longer is told of only when it is over
    raw_secrets: bool = False  # Secrets in plain text are applied whatever a project says
    wave_delay: float = 2.0  # between two waves, for other controllers to react (Argo CD's ARGOCD_SYNC_WAVE_DELAY)
    deletion_poll: float = 0.5
    unavailable_retry: float = 2.0
    resync: float = 600.0
    pulse: float = 5.0  # how often another cluster is asked whether it is there
    pulse_patience: float = 5.0
    deletion_budget: Budget = DEFAULT  # of applications that, with their project, set none
    on_degraded: str = "hold"  # of applications that say nothing themselves; core/apps/quarantine.py has the words
    undo_retention: float = 7 * 86400.0  # how long what was deleted can be put back; 0: not at all
    fleet_budget: FleetBudget = FLEET_DEFAULT
    shadow: bool = False  # everything is worked out and told to the reporter; nothing is begun, healed or deleted
