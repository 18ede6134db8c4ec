// The elements of the Explore tab.
import "./explore/element.js";
