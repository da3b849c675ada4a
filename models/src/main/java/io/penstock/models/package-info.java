@NullMarked
package io.penstock.models;

import org.jspecify.annotations.NullMarked;
