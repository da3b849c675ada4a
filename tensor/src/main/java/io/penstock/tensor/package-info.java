@NullMarked
package io.penstock.tensor;

import org.jspecify.annotations.NullMarked;
