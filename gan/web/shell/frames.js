// Runs before Gradio. Its loading indicator asks for 60 frames a second to count its time, and goes on after it
// has left the page (Gradio 6.31). That costs a tenth of a core in every open page. Here it counts by the second.
(() => {
  const COUNTS = "performance.now()-"; // in the indicator's callback, which is one short line
  const SHORT = 100; // characters
  const request = window.requestAnimationFrame.bind(window);
  const wait = (/** @type {FrameRequestCallback} */ callback) =>
    window.setTimeout(() => callback(performance.now()), 1000);
  window.requestAnimationFrame = (callback) => {
    const text = String(callback);
    return text.length < SHORT && text.includes(COUNTS) ? wait(callback) : request(callback);
  };
})();
