"""Roles and bindings: nobody grants more than they hold themselves (RBAC's protection against escalation)."""

from kilde.core.basics.values import Object
from kilde.kubeapi.call import Call
from kilde.kubeapi.logic import failures
from kilde.kubeapi.logic.rbac import Attributes, Rule, compact, uncovered
from kilde.kubeapi.strategies.strategy import Strategy
from kilde.kubeapi.world import World

_GROUP = "rbac.authorization.k8s.io"


class Roles(Strategy):
    """The rules of a role must be held, or the verb `escalate` allowed."""

    def prepare_new(self, world: World, call: Call, obj: Object) -> None:
        _check(world, call, obj, obj.get("rules") or [], "escalate")

    def prepare_change(self, world: World, call: Call, new: Object, old: Object) -> None:
        if new.get("rules") != old.get("rules"):
            _check(world, call, new, new.get("rules") or [], "escalate")


class Bindings(Strategy):
    """The rules of the bound role must be held, or the verb `bind` on it allowed."""

    def prepare_new(self, world: World, call: Call, obj: Object) -> None:
        role = obj.get("roleRef") or {}
        if call.user.master:
            return
        resource = "clusterroles" if role.get("kind") == "ClusterRole" else "roles"
        wanted = Attributes("bind", _GROUP, resource, "", call.namespace, str(role.get("name") or ""))
        if world.authorizer.decide(call.user, wanted).allowed:
            return
        if resource == "roles" and not call.namespace:
            raise failures.no_namespace()
        rules, missing = world.authorizer.rules_of(role, call.namespace)
        if missing:  # told as if it were a binding
            raise failures.not_found(call.kind.about(str(role.get("name") or "")))
        _check(world, call, obj, rules, "")


def _check(world: World, call: Call, obj: Object, rules: list[Rule], verb: str) -> None:
    if call.user.master:
        return
    resource = call.kind.resource
    wanted = Attributes(verb, _GROUP, resource.plural, "", call.namespace, call.name)
    if verb and world.authorizer.decide(call.user, wanted).allowed:
        return
    missing = uncovered(rules, world.authorizer.rules_for(call.user, call.namespace))
    if not missing:
        return
    groups = " ".join(failures.quoted(group) for group in call.user.groups)
    lines = "\n".join(sorted(compact(rule) for rule in missing))
    who = f"user {failures.quoted(call.user.name)} (groups=[{groups}])"
    why = f"{who} is attempting to grant RBAC permissions not currently held:\n{lines}"
    raise failures.forbidden(call.kind.about(str(obj["metadata"].get("name") or "")), why)
