// The characters that HTML 5 has names for, and what they are in a text.
#pragma once

#include <string>
#include <string_view>

namespace labelprobe::data {

// html_entities.txt, which says how to read it.
extern const std::string_view kHtmlEntities;

// `text` with every character reference ("&amp;", "&#39;") replaced as Python's html.unescape does.
std::string unescape_html(std::string_view text);

}  // namespace labelprobe::data
