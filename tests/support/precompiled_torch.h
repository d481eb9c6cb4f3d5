// The same as precompiled.h, with libtorch: for the tests of the rooms that compute with it.
#pragma once

#include <ATen/ATen.h>

#include "support/precompiled.h"
