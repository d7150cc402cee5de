"""What is kept between runs: the history of writes, and the locks."""
