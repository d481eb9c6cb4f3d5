// Texts as templates quote them.
#pragma once

#include <string>
#include <string_view>

namespace labelprobe::prompt::jinja {

// What stands between the quotes of a literal, with Python's escapes resolved. Throws TemplateError
// for an escape that is cut off, stands for no character or names one (\N{...}).
std::string unescape(std::string_view literal, int line);

}  // namespace labelprobe::prompt::jinja
