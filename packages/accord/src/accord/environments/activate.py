"""The activation scripts of an environment: bash and zsh, fish, csh, PowerShell (hot: only text).

Each sets VIRTUAL_ENV and puts the environment's commands first on PATH; ``deactivate`` takes both back.  Paths are
quoted for each shell, so that an environment may lie in any folder.
"""

from __future__ import annotations

__all__ = ["scripts"]

_SH = """\
# Source this file: . {folder}/bin/activate
deactivate () {{
    if [ -n "${{_OLD_VIRTUAL_PATH+x}}" ]; then
        PATH="$_OLD_VIRTUAL_PATH"
        export PATH
        unset _OLD_VIRTUAL_PATH
    fi
    if [ -n "${{_OLD_VIRTUAL_PYTHONHOME+x}}" ]; then
        PYTHONHOME="$_OLD_VIRTUAL_PYTHONHOME"
        export PYTHONHOME
        unset _OLD_VIRTUAL_PYTHONHOME
    fi
    if [ -n "${{_OLD_VIRTUAL_PS1+x}}" ]; then
        PS1="$_OLD_VIRTUAL_PS1"
        export PS1
        unset _OLD_VIRTUAL_PS1
    fi
    hash -r 2>/dev/null || true
    unset VIRTUAL_ENV VIRTUAL_ENV_PROMPT
    if [ "${{1-}}" != nondestructive ]; then
        unset -f deactivate
    fi
}}
deactivate nondestructive
VIRTUAL_ENV={folder_sh}
export VIRTUAL_ENV
VIRTUAL_ENV_PROMPT={prompt_sh}
export VIRTUAL_ENV_PROMPT
_OLD_VIRTUAL_PATH="$PATH"
PATH="$VIRTUAL_ENV/bin:$PATH"
export PATH
if [ -n "${{PYTHONHOME+x}}" ]; then
    _OLD_VIRTUAL_PYTHONHOME="$PYTHONHOME"
    unset PYTHONHOME
fi
if [ -z "${{VIRTUAL_ENV_DISABLE_PROMPT-}}" ]; then
    _OLD_VIRTUAL_PS1="${{PS1-}}"
    PS1="(${{VIRTUAL_ENV_PROMPT}}) ${{PS1-}}"
    export PS1
fi
hash -r 2>/dev/null || true
"""

_FISH = """\
# Source this file: source {folder}/bin/activate.fish
function deactivate -d "Leave the environment"
    if set -q _OLD_VIRTUAL_PATH
        set -gx PATH $_OLD_VIRTUAL_PATH
        set -e _OLD_VIRTUAL_PATH
    end
    if set -q _OLD_VIRTUAL_PYTHONHOME
        set -gx PYTHONHOME $_OLD_VIRTUAL_PYTHONHOME
        set -e _OLD_VIRTUAL_PYTHONHOME
    end
    if functions -q _old_fish_prompt
        functions -e fish_prompt
        functions -c _old_fish_prompt fish_prompt
        functions -e _old_fish_prompt
    end
    set -e VIRTUAL_ENV
    set -e VIRTUAL_ENV_PROMPT
    if test "$argv[1]" != nondestructive
        functions -e deactivate
    end
end
deactivate nondestructive
set -gx VIRTUAL_ENV {folder_fish}
set -gx VIRTUAL_ENV_PROMPT {prompt_fish}
set -gx _OLD_VIRTUAL_PATH $PATH
set -gx PATH "$VIRTUAL_ENV/bin" $PATH
if set -q PYTHONHOME
    set -gx _OLD_VIRTUAL_PYTHONHOME $PYTHONHOME
    set -e PYTHONHOME
end
if test -z "$VIRTUAL_ENV_DISABLE_PROMPT"; and functions -q fish_prompt
    functions -c fish_prompt _old_fish_prompt
    function fish_prompt
        set -l last $status
        printf '(%s) ' $VIRTUAL_ENV_PROMPT
        echo "exit $last" | source
        _old_fish_prompt
    end
end
"""

_CSH = """\
# Source this file: source {folder}/bin/activate.csh
alias deactivate 'test $?_OLD_VIRTUAL_PATH != 0 && setenv PATH "$_OLD_VIRTUAL_PATH" && unset _OLD_VIRTUAL_PATH; rehash; test $?_OLD_VIRTUAL_PROMPT != 0 && set prompt="$_OLD_VIRTUAL_PROMPT" && unset _OLD_VIRTUAL_PROMPT; unsetenv VIRTUAL_ENV; unsetenv VIRTUAL_ENV_PROMPT; test "\\!:*" != "nondestructive" && unalias deactivate'
deactivate nondestructive
setenv VIRTUAL_ENV {folder_sh}
setenv VIRTUAL_ENV_PROMPT {prompt_sh}
set _OLD_VIRTUAL_PATH="$PATH"
setenv PATH "$VIRTUAL_ENV/bin:$PATH"
if (! $?VIRTUAL_ENV_DISABLE_PROMPT) then
    if ($?prompt) then
        set _OLD_VIRTUAL_PROMPT="$prompt"
        set prompt="($VIRTUAL_ENV_PROMPT) $prompt"
    endif
endif
rehash
"""

_PWSH = """\
# Dot-source this file: . {folder}/bin/Activate.ps1
function global:deactivate ([switch]$NonDestructive) {{
    if (Test-Path -Path Env:_OLD_VIRTUAL_PATH) {{
        $Env:PATH = $Env:_OLD_VIRTUAL_PATH
        Remove-Item -Path Env:_OLD_VIRTUAL_PATH
    }}
    if (Test-Path -Path Function:_OLD_VIRTUAL_PROMPT) {{
        Copy-Item -Path Function:_OLD_VIRTUAL_PROMPT -Destination Function:prompt
        Remove-Item -Path Function:_OLD_VIRTUAL_PROMPT
    }}
    Remove-Item -Path Env:VIRTUAL_ENV, Env:VIRTUAL_ENV_PROMPT -ErrorAction SilentlyContinue
    if (-not $NonDestructive) {{ Remove-Item -Path Function:deactivate }}
}}
deactivate -NonDestructive
$Env:VIRTUAL_ENV = {folder_pwsh}
$Env:VIRTUAL_ENV_PROMPT = {prompt_pwsh}
$Env:_OLD_VIRTUAL_PATH = $Env:PATH
$Env:PATH = "$Env:VIRTUAL_ENV/bin" + [IO.Path]::PathSeparator + $Env:PATH
if (-not $Env:VIRTUAL_ENV_DISABLE_PROMPT) {{
    Copy-Item -Path Function:prompt -Destination Function:_OLD_VIRTUAL_PROMPT
    function global:prompt {{
        Write-Host -NoNewline "($Env:VIRTUAL_ENV_PROMPT) "
        _OLD_VIRTUAL_PROMPT
    }}
}}
"""


def scripts(folder: str, prompt: str) -> dict[str, str]:
    """The scripts by file name, for the environment that will be at ``folder`` (absolute)."""
    values = {
        "folder": folder.replace("\n", " "),
        "folder_sh": _sh(folder),
        "folder_fish": _fish(folder),
        "folder_pwsh": _pwsh(folder),
        "prompt_sh": _sh(prompt),
        "prompt_fish": _fish(prompt),
        "prompt_pwsh": _pwsh(prompt),
    }
    texts = {"activate": _SH, "activate.fish": _FISH, "activate.csh": _CSH, "Activate.ps1": _PWSH}
    return {name: text.format(**values) for name, text in texts.items()}


def _sh(text: str) -> str:
    return "'" + text.replace("'", "'\"'\"'") + "'"


def _fish(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _pwsh(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
