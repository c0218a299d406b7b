// What the desk shows beside the data: which dialog is open, what the composer is for, what is drawn out.

export type Opened = 'transfer' | 'resolve' | 'help';

class View {
  dialog = $state<Opened>();
  mode = $state<'send' | 'note'>('send');
  details = $state(false);
  drawer = $state(false);
  /** Rises each time the composer is asked to take the focus. */
  wanted = $state(0);

  write(mode: 'send' | 'note'): void {
    this.mode = mode;
    this.wanted += 1;
  }
}

export const view = new View();
