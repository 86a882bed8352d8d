"""The workloads of the performance page, against the real engine and a bare one in the same run."""
