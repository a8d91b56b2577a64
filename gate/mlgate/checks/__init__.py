"""One file a kind of question: how to observe, and what makes an answer complete. No rules."""
