"""The application that the acceptance tests deploy: imported by workers and by the apps that start its runs."""
