// Nothing is needed of it (context.h says why it is here).
#pragma once
