// The same as precompiled.h, with libtorch: for the rooms that compute with it.
#pragma once

#include <ATen/ATen.h>

#include "precompiled.h"
