"""The parts shared by all metrics: the metric and its result, forms of values, intervals, controls, comparisons."""
