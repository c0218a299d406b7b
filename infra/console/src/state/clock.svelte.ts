// The time, for what is shown as passing: seconds for countdowns, half minutes for "waiting 5m".

class Clock {
  second = $state(Date.now());
  minute = $state(Date.now());

  start(): () => void {
    const seconds = setInterval(() => (this.second = Date.now()), 1000);
    const minutes = setInterval(() => (this.minute = Date.now()), 30_000);
    return () => {
      clearInterval(seconds);
      clearInterval(minutes);
    };
  }
}

export const clock = new Clock();
