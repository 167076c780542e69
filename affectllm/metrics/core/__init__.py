"""What all metrics share: the metric and its result, forms of values, intervals, controls, comparisons."""
