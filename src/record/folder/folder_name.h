// Names of experiment folders: built from the parameters, as the published logs do it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "labelprobe/record/run.h"

namespace labelprobe::record {

// A value as it stands in a folder name: Python's spelling, with '/', ',' and '=' replaced.
std::string encode_in_name(const ParamValue& value);

// The names under which name parameters are sorted, e.g. "__model_name_or_path___", with the
// parameter each belongs to; in that order.
std::vector<std::pair<std::string, const Param*>> name_keys(const RunRequest& request);

// "baseline,meta-llama--Llama-3.1-8B,None,...", without the suffix "_<k>".
std::string default_name(const RunRequest& request);

// Where the request wants its folder, below the category and without the suffix: the expanded
// alternative name, or the default name. Throws ConfigError for a template with an unknown {param}
// or an open brace, and for a name that leaves the category or that no file system takes.
std::string wanted_name(const RunRequest& request);

// Throws ConfigError naming `what` if `path` is empty, absolute, or has an empty, "." or ".." part
// or one too long for a file name.
void check_relative(std::string_view path, std::string_view what);

}  // namespace labelprobe::record
