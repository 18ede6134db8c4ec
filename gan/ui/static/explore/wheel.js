// The wheel over what it can move: the page keeps it until somebody has said otherwise.

/**
 * Whether a turn of the wheel is meant for an element: only while that has the focus, which a click gives it and Escape takes away. A page that is scrolled
 * must not stop because a picture came under the pointer. With Ctrl it is the page that is enlarged.
 */
export const meant = (event, element) => document.activeElement === element && !event.ctrlKey;
