"""``fleet completion SHELL``: the script that a shell loads; names come from fleet.yaml when it asks."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from fleetmgr.cli.output import echo

_SHELLS = ("bash", "zsh", "fish")


@click.command()
@click.argument("shell", type=click.Choice(_SHELLS))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> int:
    """Print the completion script of a shell: commands, options, and names from fleet.yaml.

    \b
    Example:
      eval "$(fleet completion bash)"                               # ~/.bashrc
      eval "$(fleet completion zsh)"                                # ~/.zshrc
      fleet completion fish > ~/.config/fish/completions/fleet.fish
    """
    program = ctx.find_root().info_name or "fleet"
    script = get_completion_class(shell)
    if script is None:  # impossible for the shells above
        raise click.BadParameter(f"no completion for {shell}", ctx)
    echo(script(ctx.find_root().command, {}, program, f"_{program.upper()}_COMPLETE").source() + "\n")
    return 0
