// Browsers refuse workers to pages that are opened as files. There the search runs in a frame instead.
if (location.protocol === 'file:') {
  window.Worker = class extends EventTarget {
    #waiting = [];
    #frame = document.createElement('iframe');

    constructor(url) {
      super();
      this.#frame.hidden = true;
      document.body.append(this.#frame);
      const inside = this.#frame.contentWindow;
      inside.postMessage = (data) => this.dispatchEvent(new MessageEvent('message', {data}));
      const script = inside.document.createElement('script');
      script.src = url;
      script.addEventListener('load', () => {
        const waiting = this.#waiting;
        this.#waiting = undefined;
        waiting.forEach((data) => this.postMessage(data));
      });
      inside.document.body.append(script);
    }

    postMessage(data) {
      if (this.#waiting) this.#waiting.push(data);
      else this.#frame.contentWindow.dispatchEvent(new MessageEvent('message', {data}));
    }

    terminate() { this.#frame.remove(); }
  };
}
