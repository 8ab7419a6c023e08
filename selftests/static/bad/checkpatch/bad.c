// SPDX-License-Identifier: GPL-2.0-only
int add(int a,int b)
{
    return (a+b);
}
