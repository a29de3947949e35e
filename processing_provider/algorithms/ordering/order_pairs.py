"""Algorithm ``hyp3:orderpairs``."""

from ..algorithm import ToolboxGroup
from .ordering_algorithm import OrderingAlgorithm


class OrderPairs(OrderingAlgorithm):
    """Prices planned pairs, and orders them where the price is confirmed."""

    NAME = "orderpairs"
    TITLE = "Order pairs"
    GROUP = ToolboxGroup.GET_PRODUCTS
    SUMMARY = "Shows the price of planned pairs, and orders them from HyP3 once you confirm it."
    HELP = (
        "Orders the pairs of a plan from ASF's HyP3 service, in two runs. The first one, without a "
        "confirmed price, orders nothing: HyP3 checks the jobs, and the log shows what is new, "
        "what it costs and what your account has left. The second one, with exactly that price "
        "as CONFIRM, orders, and HyP3 takes the credits from your account. A price that has "
        "changed since, one above MAX_CREDITS, and one that was shown for other jobs are refused."
        "\n"
        "Pairs that you ordered before with the same scenes and options are not ordered again, "
        "whatever their project was called, unless they failed or have expired; those whose "
        "product is complete in the folder of products are not ordered again either. So the same "
        "plan with new dates orders only what is new. A single burst is the same under both types "
        "of jobs that take one. HyP3 does not refund duplicates, and most accounts get no refund "
        "for jobs that fail: what failed twice, or for a reason that stays, is named and left out "
        "unless RETRY_FAILED is set."
        "\n"
        "Before anything is sent, the plan is checked: scenes must exist, overlap, share one path "
        "and be in order of time, and bursts must be next to each other; otherwise HyP3 would take "
        "the credits and fail. What is sent is written into a journal first. Where an answer is "
        "lost, the jobs are looked up, and nothing is sent again automatically; run it without a "
        "confirmed price to see what is left. Pairs of the lowest rank are sent first, and HyP3 "
        "makes them first."
        "\n"
        "JOBS has the ids of the jobs of all pairs, for Watch jobs and Download products; COUNT "
        "and CREDITS are for what is new."
    )
    EXAMPLE = (
        "qgis_process run hyp3:orderpairs -- INPUT=/data/plan.gpkg NAME=my_project LOOKS=20x4 "
        "MAX_CREDITS=100 CONFIRM=85"
    )
    TAGS = ("submit", "network", "sbas", "burst", "credits", "price", "cost", "earthdata")
