"""One self-contained page that shows a person what runs found: no network, no library.

write_html(["runs/slow", "runs/fast"], "report.html")
"""

from slowfast_bias.visualization.html.page import write_html

__all__ = ["write_html"]
