"""scripts/bench-ranks: trainings on several ranks, measured and beside a model of them."""
