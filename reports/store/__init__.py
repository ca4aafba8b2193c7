"""From MLflow to a sweep: nothing else in the reports reads MLflow. May import zoo and reports.errors."""
