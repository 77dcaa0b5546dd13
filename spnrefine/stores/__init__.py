"""Object stores by URL: what a batch reads there is fetched while it is at work, and what it writes is put whole."""
