// How Python spells numbers.
#pragma once

#include <string>

namespace labelprobe::python {

// repr() of a float, and of a numpy.float32 without its type: the shortest decimal that reads back
// as the same number, "0.1", "1e-05", "1e+16", "nan", "inf".
std::string repr(double number);
std::string repr(float number);

}  // namespace labelprobe::python
