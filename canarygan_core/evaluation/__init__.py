"""How good something is: streaming clips to metrics, held-out clips, accuracy. No metric of its own."""
