// What tests ask of errors.
#pragma once

#include <string>

#include "labelprobe/core/error.h"

namespace labelprobe::support {

// What the error says that `action` throws, which has to be of this class; "no error" if there is
// none.
template <class Expected = Error, class Action>
std::string message_of(const Action& action) {
  try {
    action();
  } catch (const Expected& error) {
    return error.what();
  }
  return "no error";
}

}  // namespace labelprobe::support
