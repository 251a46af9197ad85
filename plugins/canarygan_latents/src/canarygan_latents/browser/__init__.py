"""The parts of an atlas that run in a browser, beside those of `canarygan_report.browser`."""
