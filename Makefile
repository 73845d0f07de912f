# Copyright (c) 2026 the huaweicloud.recovery contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Every target prepares .venv first, and does nothing there when the requirements are unchanged.

PYTHON ?= python3
# Runs a command with .venv on PATH and Ansible's files under .work; see that file.
RUN = $(PYTHON) tests/tools/run.py

.DEFAULT_GOAL := help
.PHONY: help venv demo test lint sanity unit playbooks matrix edges certify release awx eda ee explore slow soak mutation bench docs artifact clean

help: ## Show this list
	@sed -nE 's/^([a-z]+):.*## (.*)/make \1\t\2/p' Makefile | expand -t 16

venv: ## Prepare .venv
	@$(PYTHON) tests/tools/venv.py

demo: venv ## Destroy the data of a database and a cache in a local cloud, and bring them back
	@$(RUN) python tests/tools/demo.py

test: venv ## All fast tests: unit, contract and playbook tests, linters, type check, ansible-test sanity
	@$(RUN) python tests/tools/check.py

lint: venv ## ruff, mypy --strict, ansible-lint (production), changelog and documentation lint
	@$(RUN) python tests/tools/check.py ruff mypy changelog ansible-lint docs

sanity: venv ## ansible-test sanity; make sanity ARGS='--test pylint' for one test
	@$(RUN) python tests/tools/sanity.py $(ARGS)

unit: venv ## Unit and contract tests; make unit ARGS='-k signing' for some
	@$(RUN) pytest tests/unit tests/contract $(ARGS)

playbooks: venv ## Tests that run ansible-playbook
	@$(RUN) pytest tests/playbooks $(ARGS)

matrix: venv ## The tests on every supported pair of ansible-core and Python; make matrix ARGS='-s core-2.16-3.10' for one
	@$(RUN) nox $(ARGS)

edges: venv ## Style checks and a part of the tests on the oldest pair, and on the newest ansible-core with Python 3.13
	@$(RUN) nox -s core-2.16-3.10 core-2.21-3.13 -- style edges

certify: venv ## What the certification runs: sanity, ansible-lint in a plain checkout, galaxy-importer without a warning
	@$(RUN) python tests/tools/sanity.py
	@$(RUN) ansible-lint --profile=production --nocolor
	@$(RUN) nox --error-on-missing-interpreters -s certify

release: venv ## Make what is published: the artifact, the same bytes twice, with a bill of materials and checksums; run its demo
	@$(RUN) antsibull-changelog generate # if CHANGELOG.md was not up to date, the next line refuses it
	@$(RUN) nox --error-on-missing-interpreters -s release
	@$(RUN) python tests/tools/demo.py .work/release/*.tar.gz

awx: venv ## AWX as code against a small API with AWX's own rules, and jobs as AWX runs them
	@$(RUN) python tests/tools/awx.py
	@RECOVERY_AWX=required $(RUN) pytest tests/awx -m "slow or not slow" -n 2 --dist loadfile $(ARGS)

eda: venv ## The event source and its rulebook, run by ansible-rulebook (needs Java 17 or later)
	@$(RUN) python tests/tools/eda.py
	@RECOVERY_EDA=required $(RUN) pytest tests/eda -m "slow or not slow" $(ARGS)

ee: venv ## A restore in an environment of exactly what an execution environment has
	@$(RUN) python tests/tools/ee.py
	@$(RUN) pytest tests/data/test_execution_environment.py -m "slow or not slow" $(ARGS)

slow: venv ## The tests that are marked slow: all combinations of which make test runs some
	@$(RUN) pytest -m slow -n 2 --dist worksteal $(ARGS)

explore: venv ## Every placement of up to three faults and a kill over two runs of a restore
	@$(RUN) python -m tests.protocol.explore $(ARGS)

soak: venv ## A million random schedules of faults; make soak ARGS='--count 1000' for fewer
	@$(RUN) python -m tests.protocol --count 1000000 $(ARGS)

mutation: venv ## Change the code in every way mutmut knows and see whether the unit tests notice
	@$(RUN) python tests/tools/mutation.py $(ARGS)

bench: venv ## Measure what a module ships, and what a task and a fleet cost
	@$(RUN) python -m tests.benchmarks $(ARGS)

docs: venv ## The documentation as HTML, in .work/docs, and the guides as docs/*.md
	@$(RUN) python tests/tools/docs.py

artifact: venv ## Build the collection into .work/artifact
	@$(RUN) python tests/tools/artifact.py .work/artifact

clean: ## Remove what the other targets made
	rm -rf .venv .work .ansible .nox .pytest_cache .mypy_cache .ruff_cache .hypothesis collections mutants tests/output
