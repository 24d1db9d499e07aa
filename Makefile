# The lanes of .ci/run by name. What they do is written there, and nowhere else.
LANES := $(shell sed -n 's/^lane_\([a-z]*\)().*/\1/p' .ci/run)
.DEFAULT_GOAL := ci
.PHONY: ci demo help $(LANES)

ci:
	bash .ci/run

$(LANES):
	bash .ci/run $@

demo:
	uv run python manage.py demo

help:
	@echo 'make        everything that CI does'
	@echo 'make demo   the console with real airports, on this machine'
	@echo 'make LANE   a part of it: $(LANES)'
