"""Public fakes: the same contract tests run over these and over the real things."""
