// Says that the functions of nlohmann::json and ordered_json are compiled once, in
// json_instances.cpp. Nothing but precompiled headers includes it: a source that does not see it
// compiles those that it calls for itself.
#pragma once

#include <string_view>

#include <nlohmann/json.hpp>

extern template class nlohmann::basic_json<>;
extern template class nlohmann::detail::serializer<nlohmann::json>;
extern template class nlohmann::detail::
    parser<nlohmann::json, nlohmann::detail::iterator_input_adapter<std::string_view::iterator>>;
extern template class nlohmann::basic_json<nlohmann::ordered_map>;
extern template class nlohmann::detail::serializer<nlohmann::ordered_json>;
