"""An engine that sends tasks and results as if another process were there."""

import pickle

from spnrefine.batch.portion import Sendable
from spnrefine.batch.stop import Stop


class Sending:
    """Works on one portion after another, what it sends and gets back pickled; the first ``deaths`` tasks are lost."""

    def __init__(self, deaths=0):
        self.deaths, self.sent, self.largest = deaths, 0, 0

    def equip(self, tools):
        self.tools = pickle.loads(pickle.dumps(tools))

    def records(self, portions, stop=None):
        stop = stop or Stop()
        for portion in portions:
            if stop.asked:
                return
            yield self._records(portion)

    def _records(self, portion):
        assert isinstance(portion, Sendable)
        try:
            return self._send(portion)
        except Exception as error:
            return portion.give_up(error)

    def _send(self, portion):
        task = portion.task()
        if task is None:
            return portion.run()
        while self.deaths:
            self.deaths -= 1
            given_up = portion.lost("as a test wants it")
            if given_up is not None:
                return given_up
        self.sent += 1
        data = pickle.dumps(task)
        self.largest = max(self.largest, len(data))
        return portion.finish(pickle.loads(pickle.dumps(pickle.loads(data)(self.tools))))

    def close(self):
        pass
