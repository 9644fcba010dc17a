"""What the terminal can do and what its user asked of it; read once, from the environment it is given."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

_CI_WITH_COLOURS = ("GITHUB_ACTIONS", "GITLAB_CI", "TF_BUILD")


class TerminalSettings(Struct, frozen=True, kw_only=True):
    """``*_tty``: whether the stream is a terminal. The defaults are those of a pipe."""

    stdin_tty: bool = False
    stdout_tty: bool = False
    stderr_tty: bool = False
    no_colour: bool = False
    force_colour: bool = False
    dumb: bool = False
    ci: bool = False
    ci_colours: bool = False

    def colours(self, mode: str, *, tty: bool) -> bool:
        """Whether to write colours to a stream; ``mode`` is ``auto``, ``always`` or ``never``.

        The flag wins over NO_COLOR (no-color.org), that over FORCE_COLOR, that over what the stream is.
        """
        if mode != "auto":
            return mode == "always"
        if self.no_colour:
            return False
        return self.force_colour or (not self.dumb and (tty or self.ci_colours))

    @property
    def can_ask(self) -> bool:
        """Whether somebody can answer a question."""
        return self.stdin_tty and self.stderr_tty

    @property
    def can_redraw(self) -> bool:
        """Whether a live table makes sense on standard error."""
        return self.stderr_tty and not self.dumb and not self.ci


class GithubJob(Struct, frozen=True, kw_only=True):
    """The job of GitHub Actions that we run in: ``active``, and the files that it hands to a step."""

    active: bool = False
    workspace: str | None = None
    summary: str | None = None
    output: str | None = None


def github_job(environment: Mapping[str, str]) -> GithubJob:
    """From GITHUB_ACTIONS, GITHUB_WORKSPACE, GITHUB_STEP_SUMMARY and GITHUB_OUTPUT; empty means unset."""
    return GithubJob(
        active=bool(environment.get("GITHUB_ACTIONS")),
        workspace=environment.get("GITHUB_WORKSPACE") or None,
        summary=environment.get("GITHUB_STEP_SUMMARY") or None,
        output=environment.get("GITHUB_OUTPUT") or None,
    )


def terminal_settings(
    environment: Mapping[str, str], *, stdin_tty: bool, stdout_tty: bool, stderr_tty: bool
) -> TerminalSettings:
    """Settings from NO_COLOR, FORCE_COLOR, CLICOLOR_FORCE, TERM and CI; empty means unset."""

    def is_set(name: str) -> bool:
        return bool(environment.get(name))

    return TerminalSettings(
        stdin_tty=stdin_tty,
        stdout_tty=stdout_tty,
        stderr_tty=stderr_tty,
        no_colour=is_set("NO_COLOR"),
        force_colour=any(environment.get(n, "0") not in ("", "0") for n in ("FORCE_COLOR", "CLICOLOR_FORCE")),
        dumb=environment.get("TERM") == "dumb",
        ci=is_set("CI"),
        ci_colours=any(is_set(name) for name in _CI_WITH_COLOURS),
    )
