"""A Flux installation in Kilde's terms: Kustomizations and HelmReleases become Applications, their sources what these name."""

from kilde.core.migrate.flux.moving import FluxInstallation, move_flux

__all__ = ["FluxInstallation", "move_flux"]
