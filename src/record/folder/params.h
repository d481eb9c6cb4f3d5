// The parameters of runs as they are stored and compared: what decides whether two runs are the
// same, share a folder or have nothing to do with each other.
#pragma once

#include <set>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "labelprobe/record/run.h"

namespace labelprobe::record {

nlohmann::json as_json(const ParamValue& value);

// The parameters as compared and stored. Throws ConfigError if a text is not UTF-8.
nlohmann::json comparable_form(const std::vector<Param>& params);

// The names of `params` in which runs of one folder may differ.
std::set<std::string> names_not_comparable(const std::vector<Param>& params);

std::set<std::string> names_with(const std::vector<Param>& params, Bearing bearing);

// "shot is 5 there and 10 here", for every parameter but `ignored` ones in which `there` and `here`
// do not agree in the sense of are_equal().
std::vector<std::string> describe_differences(const nlohmann::json& there,
                                              const nlohmann::json& here,
                                              const std::set<std::string>& ignored);

// True if `a` and `b` agree in all parameters but `ignored`. A null is as good as none.
bool are_equal(const nlohmann::json& a,
               const nlohmann::json& b,
               const std::set<std::string>& ignored);

// True if `a` and `b` agree in all parameters but `ignored`. Inactive values (null, false, 0,
// empty) are as good as none.
bool are_equivalent(const nlohmann::json& a,
                    const nlohmann::json& b,
                    const std::set<std::string>& ignored);

}  // namespace labelprobe::record
