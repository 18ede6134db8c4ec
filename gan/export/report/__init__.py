"""What a run has learnt, for other programs and for paper: its statistics as a table, and a report.

No module here imports torch.
"""
