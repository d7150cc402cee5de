"""Benchmarks: `python -m tests.benchmarks [NAME...]`, never part of the test suite. What the columns say, and how to
read them:

- **measured**: of a bulk run, the time from the arrival of its first write to its last answer, as the server saw
  them, so that start-up and the look at the pool before are not in it; elsewhere the unit stands beside it.
- **bound**: what no client could beat there: the windows that the API's documented rate costs, or the server's
  latency times the requests, over what may run at a time. A peer has proxyctl's own figure here instead.
- **ratio**: measured against the bound, or the bound against what was measured where the target is a part of it; it
  travels between machines, absolute times do not. **to reach** is the target for it, with a **!** where it was missed.
- **requests**: all that the program sent, with its reads, and how many of them were answered 429.
- **others**: how much of the machine's processors something else used meanwhile (Linux only). Above a tenth or so
  the figures tell about that instead: repeat them in quiet (`--repeat 3` prints medians and their spread).

The measured program is always a process of its own, as is the server (`bare_server`: it holds the documented window
exactly, may have a hidden limit on what runs at a time, and costs less than the program). `--quick` makes
everything smaller; the targets are meant for the full sizes, where a slow start weighs less, so a miss is then no
failure. The workload `window` takes 100 seconds by its nature, all others together some three minutes.
"""
