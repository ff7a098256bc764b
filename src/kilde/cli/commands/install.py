"""`kilde install`: what a cluster needs before Kilde can work with it."""

import click


@click.command(
    epilog="Example: kilde install --crds | kubectl apply --server-side -f -",
    short_help="Print what a cluster needs: the CRDs.",
)
@click.option(
    "--crds",
    is_flag=True,
    help="The CustomResourceDefinitions of Application, ApplicationSet, AppProject, SealedSecret and VaultSecret.",
)
def command(*, crds: bool) -> None:
    """Prints, as YAML, the manifests that a cluster needs before `kilde up --kubeconfig` can work with it."""
    from kilde.core.objects.yaml_writer import write_documents
    from kilde.crds import definitions

    if not crds:
        raise click.UsageError("say what to print: --crds")
    click.echo(write_documents(definitions()), nl=False)
