"""A Flux installation in Kilde's terms: Kustomizations and HelmReleases become Applications, their sources what these name."""

from kilde.core.migrate.flux.moving import FluxInstallation, FluxMove, movable, move_flux, stays

__all__ = ["FluxInstallation", "FluxMove", "movable", "move_flux", "stays"]
