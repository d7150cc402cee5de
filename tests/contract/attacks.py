"""The table of attacks: a row for each group of commands, a cell for each attack.

A cell names the test that runs the attack, or says why it can't be made. To add a group, add a row.
"""

from __future__ import annotations

from collections.abc import Mapping

NAMES = "tests/battery/test_foreign_names.py"
LINKS = "tests/battery/test_planted_links.py"
STATE = "tests/battery/test_foreign_state.py"
HERE = "tests/contract/test_attacks.py"

ANSWERS: Mapping[str, str] = {  # what every command of the account is tried with
    "hostile names": f"{NAMES}::test_a_hostile_name_stays_a_name",
    "hostile SIDs": f"{NAMES}::test_a_hostile_sid_goes_nowhere",
    "the secret in answers": f"{HERE}::test_the_secret_in_answers_is_not_said_or_kept",
    "pages too large": f"{HERE}::test_a_page_that_is_too_large_changes_nothing",
    "another account": "tests/commands/test_whose_account.py::test_a_read_warns_once_and_is_carried_out",
}
RUNS: Mapping[str, str] = {  # and every command that writes
    **ANSWERS,
    "another account": "tests/contract/test_accounts.py::test_no_verb_writes_to_another_account",
    "state of others": "tests/contract/test_verbs.py::test_state_that_is_a_link_is_refused",
    "links": f"{LINKS}::test_no_summary_goes_through_a_link",
}
ASKS_NOTHING: Mapping[str, str] = dict.fromkeys(ANSWERS, "it asks the account nothing")
ON_LOGIN: Mapping[str, str] = {
    **dict.fromkeys(ANSWERS, "of answers, it uses the status alone"),
    "the secret in answers": "tests/commands/test_short_secrets.py::test_errors_stay_whole",
    "another account": "tests/commands/test_whose_account.py::test_a_login_saves_nothing",
}
PROFILES: Mapping[str, str] = {
    "state of others": f"{STATE}::test_a_config_in_a_directory_that_others_can_write_is_refused",
    "links": "the config's own link is followed",
}
NO_FILES: Mapping[str, str] = {
    "state of others": "it keeps no state",
    "links": "it writes no file",
}
ATTACKS = RUNS.keys()
GROUPS: Mapping[str, Mapping[str, str]] = {
    "service": RUNS,
    "number": RUNS,
    "pool": RUNS,
    "messaging": RUNS,
    "history": RUNS,
    "session": {**ANSWERS, **NO_FILES},
    "participant": {**ANSWERS, **NO_FILES},
    "interaction": {**ANSWERS, **NO_FILES},
    "api": {
        **RUNS,
        "another account": "tests/contract/test_accounts.py::test_api_writes_as_it_is_told_and_warns",
    },
    "doctor": {
        **ANSWERS,
        **NO_FILES,
        "another account": "tests/commands/test_whose_account.py::test_a_check_reports_it",
        "state of others": f"{STATE}::test_writes_refuse_it_reads_work_and_doctor_says_so",
    },
    "auth": {**ON_LOGIN, **PROFILES},
    "profile": {**ASKS_NOTHING, **PROFILES},
    "config": {**ASKS_NOTHING, **PROFILES},
    "sandbox": {
        **ASKS_NOTHING,
        "state of others": f"{STATE}::test_the_sandbox_uses_no_other_database",
        "links": f"{STATE}::test_the_sandbox_uses_no_other_database",
    },
    "completion": {
        **ASKS_NOTHING,
        "hostile names": "tests/completion/test_shells.py::test_a_hostile_name_is_only_a_name",
        "state of others": "tests/completion/test_names.py::test_links_and_foreign_things_are_left_alone",
        "links": "tests/completion/test_names.py::test_links_and_foreign_things_are_left_alone",
    },
    "explain": {**ASKS_NOTHING, **NO_FILES},
    "help": {**ASKS_NOTHING, **NO_FILES},
}
